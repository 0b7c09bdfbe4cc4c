"""Vehicles: their physics, drives as tasks, a fleet of real cars, and a controller that uses a learned model."""
