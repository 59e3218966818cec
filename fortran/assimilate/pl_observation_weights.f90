!> Weights between pairs of observations, as a state element at the place of the second would have them.
module pl_observation_weights
   use, intrinsic :: ieee_arithmetic, only: ieee_is_nan
   use pl_kinds, only: rk
   use pl_localisation, only: localisation_type
   use pl_localisation_weights, only: localisation_weight, taper_gaspari_cohn
   implicit none (type, external)
   private
   public :: correlation_weight, pair_weight

contains

   !> Weight of observation `j` on the prediction of observation `k`.
   pure real(rk) function pair_weight(localisation, j, k, horizontal, depth_radius, yj, yk) result(weight)
      type(localisation_type), intent(in) :: localisation
      integer, intent(in) :: j, k              !! observations
      real(rk), intent(in) :: horizontal       !! weight by distance [1]
      real(rk), intent(in) :: depth_radius     !! support over depth, where weights fall with depth [m]
      real(rk), intent(in) :: yj(:), yk(:)     !! anomalies of their predictions, (nmember) [any unit]
      weight = horizontal
      if (weight <= 0.0_rk) return
      if (localisation%has_depth) then
         associate (depth => localisation%observation_depth)
            if (.not. (ieee_is_nan(depth(j)) .or. ieee_is_nan(depth(k)))) weight = weight*localisation_weight( &
               abs(depth(j) - depth(k)), depth_radius, localisation%depth_taper)
         end associate
      end if
      if (localisation%threshold > 0.0_rk) weight = weight*correlation_weight(localisation%threshold, yj, yk)
   end function pair_weight

   !> Weight by sample correlation.
   !>
   !> Luo and Bhakta (2020), J. Pet. Sci. Eng. 184, 106559: the function of Gaspari and Cohn of (1 - |r|)/(1 - threshold),
   !> which would be zero at 2; here it ends at the threshold, as chance correlations of many observations add up.
   pure real(rk) function correlation_weight(threshold, a, b) result(weight)
      real(rk), intent(in) :: threshold   !! in (0, 1) [1]
      real(rk), intent(in) :: a(:), b(:)  !! anomalies, (nmember) [any unit]
      real(rk) :: length_a, length_b, r
      length_a = norm2(a)
      length_b = norm2(b)
      r = 0.0_rk
      if (length_a > 0.0_rk .and. length_b > 0.0_rk) r = min(abs(dot_product(a/length_a, b/length_b)), 1.0_rk)
      weight = 0.0_rk
      if (r >= threshold) weight = localisation_weight(1.0_rk - r, 2.0_rk*(1.0_rk - threshold), &
                                                      taper_gaspari_cohn)
   end function correlation_weight

end module pl_observation_weights
