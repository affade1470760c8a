//! One typed client a service.
