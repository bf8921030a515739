"""The law: pure functions and data. No input or output but reading the TOML files beside them."""
