"""How a citizen is reached: WeChat and SMS, and in which order they are tried."""
