"""Database engines that tests start by themselves and hold the embedded node against."""
