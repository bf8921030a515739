"""The house's zone. Times are stored in UTC and counted in days of this zone."""

from zoneinfo import ZoneInfo

HOUSE_ZONE = ZoneInfo("Asia/Shanghai")
"""The law's days begin and end here."""
