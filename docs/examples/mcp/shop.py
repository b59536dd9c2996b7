"""A small MCP server with two tools: `python shop.py` speaks on standard input and output."""

from mcp.server.mcpserver import MCPServer

server = MCPServer("shop")
orders = {"ORD-1001": {"customer_id": "mia", "status": "open", "total": "49.00", "currency": "EUR"}}
done: dict[str, dict[str, str]] = {}


@server.tool()
def get_order(order_id: str, customer_id: str) -> dict[str, str]:
    """One order of a customer."""
    order = orders.get(order_id, {})
    if order.get("customer_id") != customer_id:
        raise ValueError("no such order")
    return {"order_id": order_id, **order}


@server.tool()
def cancel_order(order_id: str, customer_id: str, idempotency_key: str) -> dict[str, str]:
    """Cancels an order; a key that has been used before gets the first answer."""
    if idempotency_key not in done:
        get_order(order_id, customer_id)
        orders[order_id]["status"] = "cancelled"
        done[idempotency_key] = {"order_id": order_id, "status": "cancelled"}
    return done[idempotency_key]


if __name__ == "__main__":
    server.run("stdio")
