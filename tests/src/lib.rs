//! What the stories from outside share: the product in a private home, a browser's least, other people's programs.

pub mod browser;
pub mod product;
