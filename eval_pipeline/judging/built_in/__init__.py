"""Panels and rubrics that come with the package, as files that a team may copy and change."""
