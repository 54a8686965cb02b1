//! stand-in until merged
