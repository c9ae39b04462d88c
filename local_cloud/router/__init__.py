"""The one endpoint: picks the emulator, refuses, repairs and answers what neither has."""
