//! Where credentials usually lie: this shell's variables, files of the home directory, and files of certain names below the current one.

use super::look::Looking;
use super::walk;
use crate::aws_config;
use crate::environment::Environment;
use crate::failure::Failure;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Files of the home directory, and directories whose files are looked at. In one string, since each string of a list costs every start of the
/// program a relocation.
const IN_HOME: &str = "\
    .aws/cli/cache .aws/sso/cache .aws/login/cache .aws/boto/cache .boto .s3cfg .s3curl .passwd-s3fs .config/rclone/rclone.conf .rclone.conf \
    .mc/config.json .config/s3ql/authinfo2 .elasticbeanstalk/aws_credential_file .chalice/config.json .ecs/credentials \
    .profile .bash_profile .bash_login .bashrc .bash_logout .bash_aliases .zshrc .zshenv .zprofile .zlogin .zlogout .kshrc .cshrc .tcshrc .xonshrc \
    .config/fish/config.fish .config/fish/fish_variables .config/fish/conf.d .config/powershell .config/nushell .config/environment.d \
    .pam_environment .xprofile .xsessionrc .envrc .env \
    .bash_history .zsh_history .zhistory .histfile .sh_history .ksh_history .local/share/fish/fish_history \
    .local/share/powershell/PSReadLine/ConsoleHost_history.txt .local/share/xonsh/history_json .python_history .node_repl_history \
    .viminfo .lesshst .zsh_sessions \
    .gitconfig .config/git/config .git-credentials .config/git/credentials .netrc .authinfo \
    .docker/config.json .config/containers/auth.json .terraformrc .terraform.d/credentials.tfrc.json .serverlessrc \
    .npmrc .yarnrc .yarnrc.yml .config/pip/pip.conf .pip/pip.conf .pypirc .m2/settings.xml .gradle/gradle.properties .sbt/.credentials .kube/config";

/// Files of a project: variables, Terraform, Serverless, Docker, CI, package managers, and what the AWS console lets people download.
const IN_PROJECTS: &str = "\
    .env .env.* *.env .envrc .flaskenv *.tf *.tfvars *.tf.json *.tfvars.json *.tfstate *.tfstate.backup terragrunt.hcl \
    serverless.yml serverless.yaml serverless.json serverless.ts serverless.js samconfig.toml samconfig.yaml cdk.json cdk.context.json \
    docker-compose*.yml docker-compose*.yaml compose*.yml compose*.yaml Dockerfile* *.dockerfile Containerfile* \
    .gitlab-ci.yml Jenkinsfile* bitbucket-pipelines.yml buildspec*.yml buildspec*.yaml .travis.yml .drone.yml azure-pipelines.yml appveyor.yml \
    .npmrc .yarnrc.yml pip.conf .boto .s3cfg .passwd-s3fs credentials credentials.csv *_credentials.csv *accessKeys*.csv rootkey*.csv \
    application*.properties application*.yml application*.yaml appsettings*.json wp-config.php";
/// Directories of a project whose files are looked at, whatever their names.
const PROJECT_DIRECTORIES: &str = ".github/workflows .circleci .gitlab/ci .buildkite .woodpecker";

/// How deep projects are looked for below the current directory.
const DEEPEST: usize = 8;

/// The shortest variable that may be or hold a credential.
const SHORTEST_VARIABLE: usize = 20;

/// Looks at all of them.
pub(super) fn look(environment: &Environment, looking: &mut Looking<'_>) -> Result<(), Failure> {
    looking.variables(variables(environment));
    for path in aws_files(environment) {
        usual(&path, None, looking)?;
    }
    let home = environment.get("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    if let Some(home) = home.and_then(|home| fs::canonicalize(home).ok()) {
        for name in IN_HOME.split_whitespace() {
            usual(&home.join(name), Some(&home), looking)?;
        }
    }
    for variable in ["HISTFILE", "ZDOTDIR", "BASH_ENV"] {
        for path in named_by(environment, variable) {
            usual(&path, None, looking)?;
        }
    }
    let here = std::env::current_dir().ok().and_then(|here| fs::canonicalize(here).ok());
    here.map_or(Ok(()), |here| walk::tree(&here, DEEPEST, is_of_project, looking))
}

fn variables(environment: &Environment) -> Vec<(String, Zeroizing<String>)> {
    let value = |name: &str| {
        let value = Zeroizing::new(environment.get(name)?.into_string().ok()?);
        (value.len() >= SHORTEST_VARIABLE).then_some(value)
    };
    environment.names_beginning_with("").into_iter().filter_map(|name| Some((name.clone(), value(&name)?))).collect()
}

/// Returns AWS's two files, where variables put them or where they are by default. A home that is not set has none.
pub(super) fn aws_files(environment: &Environment) -> Vec<PathBuf> {
    [aws_config::credentials_path(environment), aws_config::path(environment)].into_iter().flatten().collect()
}

/// Returns the file that a variable names, or zsh's start-up files of the directory that it names.
fn named_by(environment: &Environment, variable: &str) -> Vec<PathBuf> {
    let Some(path) = environment.get(variable).map(PathBuf::from).filter(|path| path.is_absolute()) else {
        return Vec::new();
    };
    match variable {
        "ZDOTDIR" => [".zshrc", ".zshenv", ".zprofile", ".zlogin", ".zsh_history"].map(|name| path.join(name)).into(),
        _ => vec![path],
    }
}

/// Looks at a file that may be there, or at the files of a directory. People link their start-up files from elsewhere in their home: that far a link is
/// followed. One that a variable names is followed wherever it leads.
fn usual(path: &Path, inside: Option<&Path>, looking: &mut Looking<'_>) -> Result<(), Failure> {
    if looking.exclusions.fits(path) {
        looking.pass_by();
        return Ok(());
    }
    let resolved = match fs::canonicalize(path) {
        Ok(resolved) => resolved,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
        Err(error) => {
            looking.cannot(path, format!("cannot be read: {error}"));
            return Ok(());
        }
    };
    if inside.is_some_and(|inside| !resolved.starts_with(inside)) {
        looking.cannot(path, "is a link that leads out of the home directory");
        return Ok(());
    }
    match fs::metadata(&resolved) {
        Ok(metadata) if metadata.is_dir() => walk::tree(&resolved, 1, |_| true, looking),
        Ok(metadata) if metadata.is_file() => looking.file(&resolved),
        Ok(_) => {
            looking.pass_by();
            Ok(())
        }
        Err(error) => {
            looking.cannot(&resolved, format!("cannot be read: {error}"));
            Ok(())
        }
    }
}

/// Whether this is a file of a project that may hold credentials.
fn is_of_project(path: &Path) -> bool {
    let (Some(name), Some(directory)) = (path.file_name(), path.parent()) else { return false };
    walk::is_one_of(name, IN_PROJECTS)
        || (name == "config" && directory.ends_with(".git"))
        || PROJECT_DIRECTORIES.split_whitespace().any(|project| directory.ends_with(project))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_projects_are_known_by_name() {
        for path in [
            "/p/.env",
            "/p/.env.production",
            "/p/main.tf",
            "/p/x/terraform.tfstate",
            "/p/serverless.yml",
            "/p/docker-compose.dev.yml",
            "/p/Dockerfile",
            "/p/.github/workflows/ci.yml",
            "/p/.gitlab-ci.yml",
            "/p/.circleci/config.yml",
            "/p/.git/config",
            "/p/alice_accessKeys.csv",
            "/p/Jenkinsfile",
        ] {
            assert!(is_of_project(Path::new(path)), "{path}");
        }
        for path in ["/p/main.rs", "/p/config", "/p/README.md", "/p/.github/CODEOWNERS", "/p/environment.ts"] {
            assert!(!is_of_project(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn variables_that_are_long_enough_are_looked_at() {
        let environment = Environment::of(&[("SHORT", "x"), ("LONG", "AKIAY34FZKBOKMUTVV7A")]);
        let names: Vec<_> = variables(&environment).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["LONG"]);
    }
}
