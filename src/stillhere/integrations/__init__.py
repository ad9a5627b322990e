"""Ways in: one module a framework. Each may import its framework; nothing below may."""
