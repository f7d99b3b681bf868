//! The store: its contract, and what it survives.
