//! Listings of a bucket: prefix, delimiter, marker, pages.
