"""`make stop`: ends every background process of this checkout, and no other; needs nothing installed."""

from infra.local import background


def main() -> None:
    places = [background.STATE, *background.STATE.glob("*/.local")]  # the demo's, and what a killed test run left
    stopped = [process.name for place in places for process in background.every(place) if process.stop()]
    print(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")


if __name__ == "__main__":
    main()
