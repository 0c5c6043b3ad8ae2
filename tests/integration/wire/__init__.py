# SPDX-License-Identifier: Apache-2.0
"""The parts of wire_driver.py; see there."""
