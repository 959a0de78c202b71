"""What was guaranteed, and what is kept back: ledger, value protection, patterns for identifiers."""
