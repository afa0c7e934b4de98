//! Debug prints without mail text: they reach logs and panics.

/// Implements `Debug` for a struct with the fields that are named and no others.
#[macro_export]
macro_rules! debug_only {
    ($type:ty { $($field:ident),* $(,)? }) => {
        impl ::std::fmt::Debug for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(stringify!($type))
                    $(.field(stringify!($field), &self.$field))*
                    .finish_non_exhaustive()
            }
        }
    };
}
