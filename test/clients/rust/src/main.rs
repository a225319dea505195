// SPDX-License-Identifier: Apache-2.0
//! The commands of ../../README.md by the crates spiffe and spiffe-rustls.

mod api;
mod lines;
mod peers;
mod rpc;

use std::time::Duration;

use lines::{Outcome, fail};

const ONE_SHOT: Duration = Duration::from_secs(20);

async fn one_shot(name: &str, of: &[&str]) -> Outcome {
    match (name, of) {
        ("fetch", []) => api::fetch().await,
        ("bundles", []) => api::bundles().await,
        ("jwt", [audience]) => api::jwt(audience).await,
        ("validate", [audience, token]) => api::validate(audience, token).await,
        ("dial", [address, id, text]) => peers::dial(address, id, text).await,
        ("grpc-dial", [address, id]) => rpc::dial(address, id).await,
        _ => {
            fail(&format!("no command {name} {of:?}"), 2);
        }
    }
}

/// Serves until somebody ends the process.
async fn run(arguments: &[&str]) -> Outcome {
    match arguments {
        ["watch"] => api::watch().await,
        ["listen", address, id] => peers::listen(address, id).await,
        ["grpc-listen", address, id] => rpc::listen(address, id).await,
        [name, of @ ..] => tokio::time::timeout(ONE_SHOT, one_shot(name, of)).await?,
        [] => one_shot("", &[]).await,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if matches!(arguments[..], ["watch" | "listen" | "grpc-listen", ..]) {
        lines::end_with_input();
    }
    if let Err(error) = run(&arguments).await {
        fail(&lines::text_of(&*error), 1);
    }
}
