"""Statements about rights: roles, what they are granted, service levels; and which rights all others need."""

from __future__ import annotations

from .needs import needs
from .statements import give_to_creator, plan_rights

__all__ = ["give_to_creator", "needs", "plan_rights"]
