//! How a person goes on by hand, with everything still running.

use crate::Outcome;
use crate::person::Person;
use crate::show::note;
use std::io::BufRead;
use tegata_sandbox::Consent;
use tegata_tests::product::Product;

/// Says how to go on, and answers pages until a person has had enough.
pub(crate) fn stay(product: &Product, person: &mut Person) -> Outcome<()> {
    product.sandbox().configure(|settings| settings.authorize = Consent::Page);
    println!("{}", instructions(product));
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let Some(url) = line.split_whitespace().find(|word| word.starts_with("http")) else { break };
        let done = if url.contains("tegata.localhost") { person.approve(url) } else { person.sign_in(url) };
        note(&done.map_or_else(|error| format!("that did not work: {error}"), |()| "done".to_owned()));
    }
    Ok(())
}

fn instructions(product: &Product) -> String {
    let home = product.path("").display().to_string();
    let home = home.trim_end_matches('/');
    let tegata = tegata_tests::program("tegata");
    let programs = tegata.parent().unwrap_or(&tegata).display();
    let endpoint = product.sandbox().url();
    format!(
        "
Everything keeps running. In another terminal:

  export HOME={home} XDG_RUNTIME_DIR={home}/run XDG_CONFIG_HOME={home}/.config XDG_STATE_HOME={home}/.local/state
  export AWS_ENDPOINT_URL_STS={endpoint} PATH={programs}:$PATH

  tegata status
  tegata elevate admin --reason 'INC-43' --print    # paste the address that it prints here: this program approves
  aws sts get-caller-identity --profile admin       # any AWS tool, in the terminal that was elevated
  tegata drop admin

With a passkey and a browser of your own, on this machine. The first passkey needs a sign-in of the last ten minutes,
and replaces the one in this program:

  tegata login corp              # the sandbox's page asks you to allow or deny
  tegata passkey reset --yes
  tegata passkey add --person you --name 'my key'
  tegata elevate admin --reason 'INC-44'

Paste an address here, or press Enter to end."
    )
}
