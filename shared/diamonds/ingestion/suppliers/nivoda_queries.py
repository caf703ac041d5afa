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
        id availability HoldId supplierStockId image video eyeClean brown green milky
        supplier { name }
        certificate {
          lab certNumber shape carats color clarity cut polish symmetry floInt floCol
          length width depth depthPercentage table labgrown
        }
      }
    }
  }
}
"""
# The day a diamond was listed does not change while pages are read, its price may.
STABLE_ORDER = {"type": "createdAt", "direction": "ASC"}
