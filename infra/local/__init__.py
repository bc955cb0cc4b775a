"""The laptop target: the emulator, the deployment onto it, and what a person sees there."""
