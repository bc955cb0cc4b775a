"""What the product costs in time, calls and money: a file that defines `measure` is one benchmark, found by place."""
