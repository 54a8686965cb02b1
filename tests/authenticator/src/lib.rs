//! A software passkey for tests and the demo: signs as told, well or badly. It stands for a hand, and proves nothing about one.
