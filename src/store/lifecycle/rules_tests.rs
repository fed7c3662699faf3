//! Tables of what rules want, and when.

use super::*;
