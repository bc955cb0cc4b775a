"""What the product costs in time, calls and money: each file that defines `measure` is one benchmark, found by place."""
