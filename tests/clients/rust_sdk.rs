//! The AWS SDK for Rust as a client, its default chain: one signed call for every line on stdin, one line on stdout for
//! each.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a client program: it prints, in a real environment"
)]

use aws_config::BehaviorVersion;
use aws_smithy_types::error::display::DisplayErrorContext;
use std::io::{self, BufRead};

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await;
    let sts = aws_sdk_sts::Client::new(&config);
    for line in io::stdin().lock().lines() {
        let _ = line?;
        match sts.get_caller_identity().send().await {
            Ok(identity) => println!("ok {}", identity.arn().unwrap_or("nobody")),
            Err(error) => println!("error {}", DisplayErrorContext(&error).to_string().replace('\n', " ")),
        }
    }
    Ok(())
}
