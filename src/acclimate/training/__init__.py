"""The only place with a loop, an optimizer or a device."""
