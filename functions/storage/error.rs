//! How an operation on a table or a queue can fail, in the distinctions that the engine acts on.

/// A failed operation. Names the table or queue and what to do; never holds a key, a SAS or a signature.
///
/// `what` names the object for people (`row r of partition p in table t`, `queue q`); `op` is the index of the operation
/// that failed a transaction, if one did. A transaction that failed changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// 409: an insert found the row there already. The insert is never retried inside, so the row is not our own.
    #[error("{what} exists already{}; read it before deciding what to write", by(*op))]
    Conflict {
        /// The object.
        what: String,
        /// The operation of the transaction that failed it.
        op: Option<usize>,
    },
    /// 412: the row moved on since its ETag was read; or (queue) the message was received by someone else since.
    #[error("{what} has changed since it was read{}; read it again before writing", by(*op))]
    PreconditionFailed {
        /// The object.
        what: String,
        /// The operation of the transaction that failed it.
        op: Option<usize>,
    },
    /// 404: the row to replace or delete, the message, or the table or queue itself is not there; `what` says which.
    #[error("{what} does not exist{}; {}", by(*op), remedy(what))]
    NotFound {
        /// The object.
        what: String,
        /// The operation of the transaction that failed it.
        op: Option<usize>,
    },
    /// No answer, 408, 429 or 5xx, after the retries that were safe: worth trying again later.
    #[error("storage could not be used for {what}: {why}; {}", if *maybe_landed { "the write may have landed, so read before writing again" } else { "nothing was changed, so try again" })]
    Unavailable {
        /// The object.
        what: String,
        /// Status and code, or the transport's words.
        why: String,
        /// Whether a write may have taken effect although no success was seen. Always false for reads.
        maybe_landed: bool,
    },
    /// A newer version of this program wrote it, and keeps more in it than this one knows: it must stay as it is.
    #[error(
        "{what} was written by a newer version of this program, and is left to it; if that version is gone, deploy it again"
    )]
    Newer {
        /// The object.
        what: String,
    },
    /// Anything else: a refused request (400, 413), a missing right (401, 403), an unreadable answer.
    #[error("storage refused {what}{}: {}{code}: {message}; {}", by(*op), status_text(*status), advice(*status))]
    Other {
        /// The object.
        what: String,
        /// HTTP status; `None` when the request was refused here, before it was sent.
        status: Option<u16>,
        /// The service's error code, or `InvalidInput` for what was refused here.
        code: String,
        /// The service's words, shortened.
        message: String,
        /// The operation of the transaction that failed it.
        op: Option<usize>,
    },
}

impl StoreError {
    /// What breaks a limit of the service, refused before it is sent.
    pub fn invalid(what: impl Into<String>, message: impl Into<String>) -> Self {
        let code = "InvalidInput".to_owned();
        Self::Other { what: what.into(), status: None, code, message: message.into(), op: None }
    }

    /// The same error, of one operation of a transaction.
    pub(super) fn of_op(mut self, index: usize) -> Self {
        match &mut self {
            Self::Conflict { op, .. }
            | Self::PreconditionFailed { op, .. }
            | Self::NotFound { op, .. }
            | Self::Other { op, .. } => *op = Some(index),
            Self::Unavailable { .. } | Self::Newer { .. } => {}
        }
        self
    }

    /// The index of the operation that failed a transaction.
    pub fn op(&self) -> Option<usize> {
        match self {
            Self::Conflict { op, .. }
            | Self::PreconditionFailed { op, .. }
            | Self::NotFound { op, .. }
            | Self::Other { op, .. } => *op,
            Self::Unavailable { .. } | Self::Newer { .. } => None,
        }
    }

    /// Whether the row was there already, or moved on: somebody else won, read again.
    pub fn is_lost_race(&self) -> bool {
        matches!(self, Self::Conflict { .. } | Self::PreconditionFailed { .. })
    }

    /// Whether the row is a newer program's.
    pub fn is_newer(&self) -> bool {
        matches!(self, Self::Newer { .. })
    }
}

fn by(op: Option<usize>) -> String {
    op.map_or_else(String::new, |index| format!(" (operation {index} of a transaction)"))
}

/// Tables and queues are made at start; rows and messages come and go.
fn remedy(what: &str) -> &'static str {
    if what.starts_with("table ") || what.starts_with("queue ") {
        "restart the app, which makes it"
    } else {
        "it was removed meanwhile, so read again"
    }
}

fn status_text(status: Option<u16>) -> String {
    status.map_or_else(String::new, |status| format!("{status} "))
}

fn advice(status: Option<u16>) -> &'static str {
    match status {
        None => "correct the value",
        Some(401 | 403) => {
            "check the connection string, or give the app's identity the roles Storage Table Data Contributor and Storage Queue Data Contributor"
        }
        Some(_) => "this is a defect of the app, so report it",
    }
}
