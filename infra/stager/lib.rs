//! Lays the function app out as the Functions host wants it.
