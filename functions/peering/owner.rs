//! Whose VPCs: an organization's or a project's.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::{InvalidId, VpcRef};

/// Who has VPCs at Aiven.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Owner {
    /// An organization, by its id.
    Organization(String),
    /// A project, by its name.
    Project(String),
}

impl Owner {
    /// The VPC of this owner with an id.
    pub fn vpc(&self, id: Uuid) -> VpcRef {
        match self.clone() {
            Self::Organization(organization) => VpcRef::Organization { organization, id },
            Self::Project(project) => VpcRef::Project { project, id },
        }
    }
}

impl From<&VpcRef> for Owner {
    fn from(vpc: &VpcRef) -> Self {
        match vpc {
            VpcRef::Organization { organization, .. } => Self::Organization(organization.clone()),
            VpcRef::Project { project, .. } => Self::Project(project.clone()),
        }
    }
}

impl fmt::Display for Owner {
    /// `org:<organization>` or `project:<project>`, as a VPC's key begins.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization(organization) => write!(f, "org:{organization}"),
            Self::Project(project) => write!(f, "project:{project}"),
        }
    }
}

impl FromStr for Owner {
    type Err = InvalidId;

    /// The reverse of `Display`; letter case does not matter.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let owner = match text.to_lowercase().split_once(':') {
            Some(("org", organization)) => Self::Organization(organization.to_owned()),
            Some(("project", project)) => Self::Project(project.to_owned()),
            _ => return Err(InvalidId(format!("{text:?} is neither org:<organization> nor project:<project>"))),
        };
        owner.vpc(Uuid::nil()).check()?;
        Ok(owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_reads_back_and_nothing_else_is_one() {
        for text in ["org:org1a2b3c4d5e6", "project:my-project"] {
            assert_eq!(text.parse::<Owner>().unwrap().to_string(), text);
        }
        for text in ["", "org:", "org1a2b3c4d5e6", "account:x", "project:a/b", "org:a:b"] {
            assert!(text.parse::<Owner>().is_err(), "{text}");
        }
    }
}
