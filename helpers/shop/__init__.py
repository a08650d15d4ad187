"""Lantern Park's shop: venue, event, fan-out, box office, parties, sweeper, crowd."""
