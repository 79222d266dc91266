"""What CI jobs fetch from an instance and run by themselves."""
