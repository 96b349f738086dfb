"""The parts of an explanation: what a compiled operation or channel sends, reads and assumes, and which lines say so."""
