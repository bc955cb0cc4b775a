"""The incident as an actor: its execution, its turns over the mailbox, what it proposes and how it ends."""
