"""What runs beside student code: instruments, drawn inputs, canonical weights. No expected value is ever here."""
