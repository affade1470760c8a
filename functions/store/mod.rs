//! Table Storage and queues.
