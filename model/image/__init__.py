"""The image stage: photos checked, decoded, described and classified."""
