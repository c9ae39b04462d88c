"""The AWS endpoint: sends a call to its emulator, refuses it, corrects the answer, or answers it itself."""
