"""Where every wave begins, peaks and ends: three methods behind one function."""
