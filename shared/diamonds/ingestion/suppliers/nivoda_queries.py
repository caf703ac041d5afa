"""What Nivoda is asked, in GraphQL."""

AUTHENTICATE = """
query Authenticate($username: String!, $password: String!) {
  authenticate { username_and_password(username: $username, password: $password) { token } }
}
"""
COUNT = "query Count($query: DiamondQuery!) { diamonds_by_query_count(query: $query) }"
PAGE = """
query Page($query: DiamondQuery!, $offset: Int!, $limit: Int!, $order: DiamondOrder!) {
  diamonds_by_query(query: $query, offset: $offset, limit: $limit, order: $order) {
    items {
      id price discount markup_price
      diamond {
        id availability HoldId supplierStockId image video supplier_video_link eyeClean brown green milky
        supplier { name }
        certificate {
          lab certNumber pdfUrl shape carats color f_color f_intensity f_overtone clarity cut polish symmetry
          floInt floCol length width depth depthPercentage table labgrown labgrown_type treated
        }
      }
    }
  }
}
"""
OFFER = """
query Offer($query: DiamondQuery!) {
  diamonds_by_query(query: $query, offset: 0, limit: 1) { items { id price diamond { id availability HoldId } } }
}
"""
CREATE_HOLD = """
mutation Hold($stone: ID!) { create_hold(ProductId: $stone, ProductType: Diamond) { id denied until } }
"""
END_HOLD = "mutation EndHold($hold: ID!) { cancel_hold(hold_id: $hold) { id } }"
CREATE_ORDER = "mutation Order($items: [OrderItemInput!]!) { create_order(items: $items) }"
# The day a diamond was listed does not change while pages are read, its price may.
STABLE_ORDER = {"type": "createdAt", "direction": "ASC"}
