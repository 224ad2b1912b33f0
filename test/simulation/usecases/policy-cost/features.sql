SELECT member_no, recorded_at, units, factor, charges FROM policies
