//! The id of an Aiven VPC, with the organization or project that owns it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ids::shortened;
use super::{InvalidId, ObjectId};

/// An Aiven VPC: of an organization, or of a project.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged, try_from = "RawVpc")]
pub enum VpcRef {
    /// `{"organization": "org1a2b3c4d5e6", "id": …}`
    Organization {
        /// Organization id: `org` and eleven characters.
        organization: String,
        /// The VPC's id.
        id: Uuid,
    },
    /// `{"project": "my-project", "id": …}`
    Project {
        /// Project name.
        project: String,
        /// The VPC's id.
        id: Uuid,
    },
}

/// A VPC as it is written in a message, before it is known to make sense.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVpc {
    organization: Option<String>,
    project: Option<String>,
    id: String,
}

impl TryFrom<RawVpc> for VpcRef {
    type Error = InvalidId;

    fn try_from(raw: RawVpc) -> Result<Self, InvalidId> {
        let id = raw.id.parse::<ObjectId>().map_err(|_| {
            InvalidId(format!("vpc.id {:?} is not a GUID; `avn organization vpc list` shows it", shortened(&raw.id)))
        })?;
        let vpc = match (raw.organization, raw.project) {
            (Some(organization), None) => Self::Organization { organization: organization.to_lowercase(), id: id.0 },
            (None, Some(project)) => Self::Project { project: project.to_lowercase(), id: id.0 },
            _ => return Err(InvalidId("vpc needs either \"organization\" or \"project\", and \"id\"".to_owned())),
        };
        vpc.check()?;
        Ok(vpc)
    }
}

impl VpcRef {
    /// The VPC's id.
    pub fn id(&self) -> Uuid {
        match self {
            Self::Organization { id, .. } | Self::Project { id, .. } => *id,
        }
    }

    /// `org:<organization>:<id>` or `project:<project>:<id>`: the partition of the VPC's records.
    pub fn key(&self) -> String {
        match self {
            Self::Organization { organization, id } => format!("org:{organization}:{id}"),
            Self::Project { project, id } => format!("project:{project}:{id}"),
        }
    }

    /// Refuses owners that cannot be an Aiven name and would not fit in a key or a path.
    pub fn check(&self) -> Result<(), InvalidId> {
        let (what, owner, most) = match self {
            Self::Organization { organization, .. } => ("organization", organization, 36),
            Self::Project { project, .. } => ("project", project, 63),
        };
        let legal = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if owner.is_empty() || owner.len() > most || !owner.chars().all(legal) {
            return Err(InvalidId(format!("vpc.{what} {:?} is not the name of an Aiven {what}", shortened(owner))));
        }
        Ok(())
    }
}

impl fmt::Display for VpcRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key())
    }
}

impl FromStr for VpcRef {
    type Err = InvalidId;

    /// The reverse of [`VpcRef::key`].
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let wrong = || InvalidId(format!("{:?} is not the key of an Aiven VPC", shortened(text)));
        let [kind, owner, id] = text.split(':').collect::<Vec<_>>()[..] else { return Err(wrong()) };
        let id = Uuid::try_parse(id).map_err(|_| wrong())?;
        let vpc = match kind {
            "org" => Self::Organization { organization: owner.to_owned(), id },
            "project" => Self::Project { project: owner.to_owned(), id },
            _ => return Err(wrong()),
        };
        vpc.check()?;
        Ok(vpc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vpc_key_reads_back() {
        for key in [
            "org:org1a2b3c4d5e6:66666666-6666-4666-8666-666666666666",
            "project:my-project:66666666-6666-4666-8666-666666666666",
        ] {
            assert_eq!(key.parse::<VpcRef>().unwrap().key(), key);
        }
    }
}
