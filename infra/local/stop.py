"""`make stop`: ends every background process of this checkout, and no other; needs nothing installed."""

from infra.local import background


def main() -> None:
    stopped = [process.name for process in background.every() if process.stop()]
    print(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")


if __name__ == "__main__":
    main()
