"""`handrail token`: tokens of customers, keys of servers and the site key, for trying things out."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("customer", required=False)
@click.option("--minutes", type=click.IntRange(1, 60 * 24), default=60, show_default=True, help="How long it is valid.")
@click.option("--server", is_flag=True, help="Print the key of a server (X-Server-Key) instead.")
@click.option("--site", is_flag=True, help="Print the key for pages that embed the widget (X-Site-Key) instead.")
@click.option("--config", type=click.Path(path_type=Path), help="A TOML file with settings.  [default: handrail.toml]")
def token(customer: str | None, minutes: int, server: bool, site: bool, config: Path | None) -> None:
    """Print a signed token of CUSTOMER, as the company's own servers would make it."""
    from handrail.agent.server.identity import Gate
    from handrail.agent.server.keys import keys_of
    from handrail.agent.settings import load_settings
    from handrail.guardrails.errors import ConfigError

    if sum((customer is not None, server, site)) != 1:
        raise click.UsageError("Name a customer, or ask for --server or --site; one of the three.")
    settings = load_settings(config)
    keys = keys_of(settings)
    if server:
        click.echo(next(iter(keys.server.values())).get_secret_value())
    elif customer is not None:
        click.echo(Gate(keys, settings.site).sign(customer, minutes * 60))
    elif keys.site:
        click.echo(next(iter(keys.site)))
    else:
        raise ConfigError(["There is no site key. Set HANDRAIL_SITE_KEYS to a table from key to origins."])
