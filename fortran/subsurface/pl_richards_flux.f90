!> Darcy fluxes between the layers of a column, and through its surface and its base, with exact derivatives.
!>
!> Between nodes 1 (above) and 2 (below), distance D = d1 + d2, g = (psi1 - psi2)/D + 1:
!>
!> * wetting from above (psi1 >= psi2):  q = K_down + K_cap (psi1 - psi2)/D
!> * drainage (psi1 < psi2, g >= 0):     q = K_down g
!> * capillary rise (g < 0):             q = K_cap g
!>
!> K_down: gravity moves water at the conductivity of the layer above, in series with what the layer below can take:
!> D/(d1/K1 + d2/max(K2, min(K1, Ks2))). K_cap: geometric mean of the relative conductivities (Haverkamp and Vauclin
!> 1979, Water Resour. Res. 15, 181-187) times the harmonic mean of the saturated ones, at most what the half layer that
!> gives the water conducts. The flux is continuous, vanishes
!> at hydrostatic equilibrium, and is exact for saturated layers. docs/theory/subsurface_column.md compares it with
!> upstream and arithmetic means on the layers of a land model. Fluxes are in m s-1, positive downward.
module pl_richards_flux
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: base_flux, capillary_scale, inner_fluxes, surface_flux, surface_head_flux
   public :: lower_free_drainage, lower_no_flow, lower_water_table

   integer, parameter :: lower_free_drainage = 1 !! unit gradient
   integer, parameter :: lower_no_flow = 2       !! closed
   integer, parameter :: lower_water_table = 3   !! head hydrostatic to a fixed water table

contains

   !> Harmonic mean of the saturated conductivities beside each lower face, over their geometric mean.
   pure subroutine capillary_scale(nlayer, half, k_sat, factor)
      integer, intent(in) :: nlayer              !! layers [1]
      real(rk), intent(in) :: half(w, nlayer)    !! half thickness [m]
      real(rk), intent(in) :: k_sat(w, nlayer)   !! saturated conductivity [m s-1]
      real(rk), intent(out) :: factor(w, nlayer) !! of the lower face; 1 for the lowest [1]
      integer :: i, k
      factor(:, nlayer) = 1.0_rk
      do k = 1, nlayer - 1
         do i = 1, w
            factor(i, k) = (half(i, k) + half(i, k + 1))*sqrt(k_sat(i, k)*k_sat(i, k + 1)) &
                           /(half(i, k)*k_sat(i, k + 1) + half(i, k + 1)*k_sat(i, k))
         end do
      end do
   end subroutine capillary_scale

   !> Flux between two nodes and its derivatives to their heads.
   pure subroutine face_flux(head1, k1, slope1, d1, head2, k2, slope2, d2, k_sat2, factor, flux, by_head1, by_head2)
      real(rk), intent(in) :: head1(w)     !! above [m]
      real(rk), intent(in) :: k1(w)        !! conductivity above [m s-1]
      real(rk), intent(in) :: slope1(w)    !! its derivative to the head [s-1]
      real(rk), intent(in) :: d1(w)        !! node above to interface [m]
      real(rk), intent(in) :: head2(w)     !! below [m]
      real(rk), intent(in) :: k2(w)        !! conductivity below [m s-1]
      real(rk), intent(in) :: slope2(w)    !! its derivative to the head [s-1]
      real(rk), intent(in) :: d2(w)        !! interface to node below [m]
      real(rk), intent(in) :: k_sat2(w)    !! saturated conductivity below [m s-1]
      real(rk), intent(in) :: factor(w)    !! capillary_scale [1]
      real(rk), intent(out) :: flux(w)     !! positive downward [m s-1]
      real(rk), intent(out) :: by_head1(w) !! [s-1]
      real(rk), intent(out) :: by_head2(w) !! [s-1]
      real(rk) :: distance, gradient, pull, taken, down, by_k1, by_k2, ratio, capillary
      real(rk) :: down_part, capillary_part, by_pull, k_up, d_up, share1
      logical :: wetting, falling, front, capped
      integer :: i
      do i = 1, w
         distance = d1(i) + d2(i)
         pull = (head1(i) - head2(i))/distance
         gradient = pull + 1.0_rk
         wetting = head1(i) >= head2(i)
         falling = gradient >= 0.0_rk

         front = k2(i) < min(k1(i), k_sat2(i))
         taken = max(k2(i), min(k1(i), k_sat2(i)))
         down = distance*k1(i)/(d1(i) + d2(i)*(k1(i)/taken))
         ratio = down/taken
         by_k1 = (down/k1(i))*(down/k1(i))*(d1(i)/distance) + merge((ratio*ratio)*(d2(i)/distance), 0.0_rk, &
            front .and. k1(i) < k_sat2(i))
         by_k2 = merge(0.0_rk, (ratio*ratio)*(d2(i)/distance), front)
         ! no more than the half of the layer that gives water would conduct
         k_up = merge(k1(i), k2(i), falling)
         d_up = merge(d1(i), d2(i), falling)
         capillary = factor(i)*sqrt(k1(i)*k2(i))
         capped = capillary*d_up > k_up*distance
         capillary = merge(k_up*(distance/max(d_up, tiny(d_up))), capillary, capped)
         share1 = merge(merge(1.0_rk, 0.0_rk, falling), 0.5_rk, capped)

         ! one expression for the three cases: K_down (1 or g) + K_cap (g - 1, 0 or g)
         down_part = merge(merge(1.0_rk, gradient, wetting), 0.0_rk, falling)
         capillary_part = merge(merge(pull, 0.0_rk, wetting), gradient, falling)
         by_pull = (merge(merge(0.0_rk, down, wetting), 0.0_rk, falling) + merge(merge(capillary, 0.0_rk, wetting), &
            capillary, &
                                                                                 falling))/distance
         flux(i) = down*down_part + capillary*capillary_part
         by_head1(i) = slope1(i)*(by_k1*down_part + share1*(capillary/k1(i))*capillary_part) + by_pull
         by_head2(i) = slope2(i)*(by_k2*down_part + (1.0_rk - share1)*(capillary/k2(i))*capillary_part) - by_pull
      end do
   end subroutine face_flux

   !> Fluxes between all layers; index k is the lower face of layer k.
   pure subroutine inner_fluxes(nlayer, half, factor, k_sat, head, conductivity, slope, flux, by_above, by_below)
      integer, intent(in) :: nlayer                      !! layers [1]
      real(rk), intent(in) :: half(w, nlayer)            !! half thickness [m]
      real(rk), intent(in) :: factor(w, nlayer)          !! capillary_scale of the lower face [1]
      real(rk), intent(in) :: k_sat(w, nlayer)           !! saturated conductivity [m s-1]
      real(rk), intent(in) :: head(w, nlayer)            !! [m]
      real(rk), intent(in) :: conductivity(w, nlayer)    !! [m s-1]
      real(rk), intent(in) :: slope(w, nlayer)           !! [s-1]
      real(rk), intent(inout) :: flux(w, 0:nlayer)       !! [m s-1]
      real(rk), intent(inout) :: by_above(w, 0:nlayer)   !! derivative to the head above [s-1]
      real(rk), intent(inout) :: by_below(w, 0:nlayer)   !! derivative to the head below [s-1]
      integer :: k
      do k = 1, nlayer - 1
         call face_flux(head(:, k), conductivity(:, k), slope(:, k), half(:, k), head(:, k + 1), conductivity(:, &
            k + 1), &
                        slope(:, k + 1), half(:, k + 1), k_sat(:, k + 1), factor(:, k), flux(:, k), by_above(:, k), &
                        by_below(:, k))
      end do
   end subroutine inner_fluxes

   !> Infiltration: all water at hand, or what the soil takes below the pond at the end of the sub-step.
   !>
   !> With depth p of the pond, capacity(p) = Ks ((p - psi1)/d1 + 1) and p = dt (supply - q) between 0 and the ponding
   !> depth, q is the least of three straight lines in psi1: the supply, the implicit pond, the full pond.
   elemental subroutine surface_flux(dt, supply, ponding_depth, k_sat, half, head, flux, by_below)
      real(rk), intent(in) :: dt            !! sub-step [s]
      real(rk), intent(in) :: supply        !! pond/dt plus rain [m s-1]
      real(rk), intent(in) :: ponding_depth !! depth above which water runs off [m]
      real(rk), intent(in) :: k_sat         !! saturated conductivity of the top layer [m s-1]
      real(rk), intent(in) :: half          !! half thickness of the top layer [m]
      real(rk), intent(in) :: head          !! of the top layer [m]
      real(rk), intent(out) :: flux         !! [m s-1]
      real(rk), intent(out) :: by_below     !! derivative to the head [s-1]
      real(rk) :: rising, full
      rising = k_sat*(dt*supply - head + half)/(half + k_sat*dt)
      full = k_sat*(ponding_depth - head + half)/half
      flux = min(supply, rising, full)
      by_below = 0.0_rk
      if (supply > min(rising, full)) by_below = -k_sat/(half + merge(k_sat*dt, 0.0_rk, rising <= full))
   end subroutine surface_flux

   !> Flux from a surface held at a given head.
   pure subroutine surface_head_flux(surface_head, surface_k, k_sat, half, head, conductivity, slope, flux, by_below)
      real(rk), intent(in) :: surface_head    !! [m]
      real(rk), intent(in) :: surface_k(w)    !! conductivity of the top layer at that head [m s-1]
      real(rk), intent(in) :: k_sat(w)        !! saturated conductivity of the top layer [m s-1]
      real(rk), intent(in) :: half(w)         !! half thickness of the top layer [m]
      real(rk), intent(in) :: head(w)         !! of the top layer [m]
      real(rk), intent(in) :: conductivity(w) !! of the top layer [m s-1]
      real(rk), intent(in) :: slope(w)        !! of the top layer [s-1]
      real(rk), intent(out) :: flux(w)        !! [m s-1]
      real(rk), intent(out) :: by_below(w)    !! derivative to the head [s-1]
      real(rk), dimension(w) :: by_above, factor, heads, zero
      heads = surface_head
      zero = 0.0_rk
      factor = 1.0_rk
      call face_flux(heads, surface_k, zero, zero, head, conductivity, slope, half, k_sat, factor, flux, by_above, &
         by_below)
   end subroutine surface_head_flux

   !> Flux through the base of the column.
   pure subroutine base_flux(lower_boundary, base_head, base_k, k_sat, half, head, conductivity, slope, flux, by_above)
      integer, intent(in) :: lower_boundary   !! one of lower_*
      real(rk), intent(in) :: base_head(w)    !! head at the base, for a water table [m]
      real(rk), intent(in) :: base_k(w)       !! conductivity of the lowest layer at that head [m s-1]
      real(rk), intent(in) :: k_sat(w)        !! saturated conductivity of the lowest layer [m s-1]
      real(rk), intent(in) :: half(w)         !! half thickness of the lowest layer [m]
      real(rk), intent(in) :: head(w)         !! of the lowest layer [m]
      real(rk), intent(in) :: conductivity(w) !! of the lowest layer [m s-1]
      real(rk), intent(in) :: slope(w)        !! of the lowest layer [s-1]
      real(rk), intent(out) :: flux(w)        !! [m s-1]
      real(rk), intent(out) :: by_above(w)    !! derivative to the head [s-1]
      real(rk), dimension(w) :: by_below, factor, zero
      select case (lower_boundary)
      case (lower_free_drainage)
         flux = conductivity
         by_above = slope
      case (lower_water_table)
         zero = 0.0_rk
         factor = 1.0_rk
         call face_flux(head, conductivity, slope, half, base_head, base_k, zero, zero, k_sat, factor, flux, &
            by_above, by_below)
      case default ! no flow
         flux = 0.0_rk
         by_above = 0.0_rk
      end select
   end subroutine base_flux

end module pl_richards_flux
