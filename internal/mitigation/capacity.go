package mitigation

// capacity is what a statement costs in web ACL capacity units (developer guide,
// "Rule statements list"). No text is transformed, which costs nothing.
func capacity(s obj) (units int) {
	for kind, v := range s {
		body, _ := v.(obj)
		switch kind {
		case "IPSetReferenceStatement", "SizeConstraintStatement":
			units++
		case "ByteMatchStatement":
			if body["PositionalConstraint"] == "CONTAINS" {
				units += 10
			} else {
				units += 2
			}
		case "RegexMatchStatement":
			units += 3
		case "NotStatement":
			inner, _ := body["Statement"].(obj)
			units += capacity(inner)
		case "AndStatement", "OrStatement":
			list, _ := body["Statements"].([]obj)
			for _, inner := range list {
				units += capacity(inner)
			}
		}
	}
	return units
}
