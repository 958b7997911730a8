"""Tracers whose behaviour in the atmosphere is published, through the embedded model: `tools/transport_realism`."""
