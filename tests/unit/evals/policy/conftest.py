"""The bundle that a test may spoil, as the tests of the bundle itself use it."""

from tests.unit.bundle.conftest import folder, pristine, quick, reading, shipped

__all__ = ["folder", "pristine", "quick", "reading", "shipped"]
