// SPDX-License-Identifier: Apache-2.0
//! What the program says, and when it ends.

use std::error::Error;
use std::io::{Write, stdin, stdout};

use serde_json::{Value, json};
use spiffe::WorkloadApiError;

pub type Failure = Box<dyn Error + Send + Sync>;
pub type Outcome = Result<(), Failure>;

pub fn say(event: &str, facts: Value) {
    let mut line = json!({ "event": event });
    if let (Value::Object(line), Value::Object(facts)) = (&mut line, facts) {
        line.extend(facts);
    }
    // Whoever reads it may be gone: then nobody misses the line.
    let _ = writeln!(stdout().lock(), "{line}");
}

pub fn fail(error: &str, status: i32) -> ! {
    say("error", json!({ "error": error }));
    std::process::exit(status);
}

/// An error with its causes, which most of these crates leave out of its text.
pub fn text_of(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut last = Some(error);
    while let Some(each) = last {
        // The crate has this variant for PERMISSION_DENIED in SPIRE's words.
        if let Some(WorkloadApiError::NoIdentityIssued) = each.downcast_ref() {
            text = format!("permission denied: {text}");
        }
        let cause = each.to_string();
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
        last = each.source();
    }
    text
}

/// On a thread of its own: the runtime would wait for a read that it began.
pub fn end_with_input() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut stdin().lock(), &mut std::io::sink());
        std::process::exit(0);
    });
}
