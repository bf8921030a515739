"""Asks the vulnerability services about every locked package; `make check` runs it.

pip-audit passes a package the service does not know, so with no service behind the index it would
pass everything. Here a package not looked up counts as such: when no service looked any up,
that is said and let through, because a machine without that network must still be able to check the
rest; a known vulnerability, or a look-up that worked for some packages only, fails.
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
LOCKS = ("dev.txt", "engines.txt")
"""The first holds base.txt and build.txt too."""
SERVICES = ("pypi", "osv")
TIMEOUT_SECONDS = 10
UNREACHABLE = 3
"""Own code for: this service answered for no package."""


def audit(service: str) -> int:
    """0: all looked up, none vulnerable; 1: vulnerable or partly unknown; UNREACHABLE."""
    locks = [argument for lock in LOCKS for argument in ("--requirement", str(HERE / lock))]
    options = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json")
    ran = subprocess.run(
        (
            *(sys.executable, "-m", "pip_audit", "--vulnerability-service", service),
            *("--timeout", str(TIMEOUT_SECONDS), *options, *locks),
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    if not ran.stdout.strip():
        if "ConnectionError" in ran.stderr or "Could not connect" in ran.stderr:
            return UNREACHABLE
        print(ran.stderr, file=sys.stderr)
        return 1
    packages = json.loads(ran.stdout)["dependencies"]
    skipped = [package for package in packages if "skip_reason" in package]
    if len(skipped) == len(packages):
        return UNREACHABLE
    vulnerable = [package for package in packages if package.get("vulns")]
    for package in vulnerable:
        ids = ", ".join(vulnerability["id"] for vulnerability in package["vulns"])
        print(f"audit: {package['name']} {package['version']} is vulnerable: {ids}")
    for package in skipped:
        print(f"audit: {package['name']} was not looked up: {package['skip_reason']}")
    if not vulnerable and not skipped:
        print(f"audit: {len(packages)} packages, no known vulnerability ({service})")
    return 1 if vulnerable or skipped else 0


def main() -> int:
    """Ask the services in turn until one answers."""
    for service in SERVICES:
        code = audit(service)
        if code != UNREACHABLE:
            return code
    print("audit: WARNING: vulnerability service unreachable; the packages were NOT audited")
    return 0


if __name__ == "__main__":
    sys.exit(main())
