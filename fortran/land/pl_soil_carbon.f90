!> Litter and soil carbon of a column: decay, respiration and equilibrium of six pools.
!>
!> The CENTURY cascade as in CLM: litter 1 (labile), 2 (cellulose) and 3 (lignin) feed soil 1 (active), 2 (slow) and 3
!> (passive); a share of every transfer is respired. Rates of decay, shares and the control by temperature and water:
!> CLM Technical Note (Lawrence et al. 2018), chapter on decomposition, eqs. 21.5 to 21.8 with depth-averaged control;
!> pools: Parton et al. (1988), Biogeochemistry 5, 109-131, and Koven et al. (2013), Biogeosciences 10, 7109-7131.
!> Time steps are implicit (backward Euler) and solved directly; carbon is conserved to round-off.
module pl_soil_carbon
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: density_water, freezing_point, gravity, latent_fusion
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: decomposition_factor, equilibrium_pools, npool, pool_respiration, soil_carbon_step, top_soil_mean

   integer, parameter :: npool = 6 !! litter 1 to 3, then soil 1 to 3

   real(rk), parameter :: year = 365.0_rk*86400.0_rk !! [s]
   !> Rates of decay at 25 degC in wet soil [s-1].
   real(rk), parameter :: rate(npool) = [18.5_rk, 4.9_rk, 4.9_rk, 7.3_rk, 0.2_rk, 0.0045_rk]/year
   !> Shares of litterfall that enter litter 1 to 3 [1].
   real(rk), parameter :: litter_share(3) = [0.25_rk, 0.5_rk, 0.25_rk]
   real(rk), parameter :: respired_litter(3) = [0.55_rk, 0.5_rk, 0.5_rk] !! share of a transfer that is respired [1]
   real(rk), parameter :: respired_slow = 0.55_rk  !! the same of soil 2 and soil 3 [1]
   real(rk), parameter :: slow_to_active = 0.42_rk !! carbon of decaying soil 2 that reaches soil 1 [1]
   real(rk), parameter :: slow_to_passive = 0.03_rk !! and soil 3 [1]
   real(rk), parameter :: active_to_passive = 0.004_rk !! carbon of decaying soil 1 that reaches soil 3 [1]
   real(rk), parameter :: passive_to_active = 1.0_rk - respired_slow !! carbon of decaying soil 3 that reaches soil 1 [1]
   real(rk), parameter :: q10 = 1.5_rk             !! increase of decay per 10 K [1]
   real(rk), parameter :: reference = 298.15_rk    !! temperature of the rates [K]
   real(rk), parameter :: metres_per_pascal = 1.0_rk/(density_water*gravity) !! of water column [m Pa-1]
   real(rk), parameter :: driest_head = -10.0e6_rk*metres_per_pascal !! no decay in drier soil, -10 MPa [m]
   real(rk), parameter :: wet_head = -0.002e6_rk*metres_per_pascal   !! full decay in wetter soil, -0.002 MPa [m]
   real(rk), parameter :: control_depth = 0.29_rk  !! soil whose climate controls decay, the top five layers of CLM4.5 [m]
   !> Smallest mean factor of an equilibrium: ever frozen or air-dry soil gathers carbon without end [1].
   real(rk), parameter :: least_factor = 1.0e-3_rk

contains

   !> Mean of a soil property over the depth that controls decay.
   pure subroutine top_soil_mean(nlayer, thickness, values, mean)
      integer, intent(in) :: nlayer                 !! soil layers [1]
      real(rk), intent(in) :: thickness(w, nlayer)  !! [m]
      real(rk), intent(in) :: values(w, nlayer)     !! any unit
      real(rk), intent(out) :: mean(w)              !! unit of `values`
      real(rk) :: top(w), total(w), share
      integer :: i, k
      top = 0.0_rk
      total = 0.0_rk
      mean = 0.0_rk
      do k = 1, nlayer
         do i = 1, w
            share = max(min(thickness(i, k), control_depth - top(i)), 0.0_rk)
            mean(i) = mean(i) + share*values(i, k)
            total(i) = total(i) + share
            top(i) = top(i) + thickness(i, k)
         end do
      end do
      mean = mean/total
   end subroutine top_soil_mean

   !> Control of decay by temperature and water, mean over the top of the soil.
   !>
   !> Temperature: Q10**((T - 25 degC)/10). Water: log(psi_min/psi)/log(psi_min/psi_max) in [0, 1]; below freezing the
   !> potential of the remaining liquid is at most L_f (T - T_f)/(g T) (Niu and Yang 2006, J. Hydrometeorol. 7, 937-952).
   pure subroutine decomposition_factor(nlayer, thickness, temperature, head, factor)
      integer, intent(in) :: nlayer                  !! soil layers [1]
      real(rk), intent(in) :: thickness(w, nlayer)   !! [m]
      real(rk), intent(in) :: temperature(w, nlayer) !! [K]
      real(rk), intent(in) :: head(w, nlayer)        !! pressure head of the liquid [m]
      real(rk), intent(out) :: factor(w)             !! [1]
      real(rk), parameter :: warming = log(q10)/10.0_rk
      real(rk), parameter :: drying = 1.0_rk/log(driest_head/wet_head)
      real(rk) :: control(w, nlayer), suction
      integer :: i, k
      do k = 1, nlayer
         do i = 1, w
            suction = min(head(i, k), latent_fusion*(temperature(i, k) - freezing_point)/(gravity*temperature(i, k)))
            suction = max(min(suction, wet_head), driest_head)
            control(i, k) = log(driest_head/suction)*drying*exp(warming*(temperature(i, k) - reference))
         end do
      end do
      call top_soil_mean(nlayer, thickness, control, factor)
   end subroutine decomposition_factor

   !> Share of decaying soil 1 that is respired, more in sand (CENTURY).
   elemental real(rk) function respired_active(sand)
      real(rk), intent(in) :: sand !! share of the mineral soil [%]
      respired_active = 0.85_rk - 0.0068_rk*(100.0_rk - sand)
   end function respired_active

   !> Respiration of pools that stay as they are.
   pure subroutine pool_respiration(sand, factor, pools, respiration)
      real(rk), intent(in) :: sand(w)         !! of the top soil [%]
      real(rk), intent(in) :: factor(w)       !! control of decay [1]
      real(rk), intent(in) :: pools(w, npool) !! carbon [kg m-2]
      real(rk), intent(out) :: respiration(w) !! [kg m-2 s-1]
      integer :: i
      do i = 1, w
         respiration(i) = factor(i)*(respired_litter(1)*rate(1)*pools(i, 1) + respired_litter(2)*rate(2)*pools(i, 2) &
                                     + respired_litter(3)*rate(3)*pools(i, 3) + respired_active(sand(i))*rate(4)*pools(i, 4) &
                                     + respired_slow*(rate(5)*pools(i, 5) + rate(6)*pools(i, 6)))
      end do
   end subroutine pool_respiration

   !> Advance the pools by one implicit step.
   !>
   !> A pool C with the input I of the step loses b (C + I), b = dt k/(1 + dt k); the loop soil 1, 2, 3 is solved for the
   !> loss of soil 1. Pools change by these losses, so that carbon is conserved to round-off.
   pure subroutine soil_carbon_step(dt, sand, factor, litterfall, pools, respiration)
      real(rk), intent(in) :: dt                 !! time step [s]
      real(rk), intent(in) :: sand(w)            !! of the top soil [%]
      real(rk), intent(in) :: factor(w)          !! control of decay [1]
      real(rk), intent(in) :: litterfall(w)      !! carbon [kg m-2 s-1]
      real(rk), intent(inout) :: pools(w, npool) !! carbon [kg m-2]
      real(rk), intent(out) :: respiration(w)    !! [kg m-2 s-1]
      real(rk) :: share(npool), loss(npool), fallen(3), input(2), respired
      integer :: i
      do i = 1, w
         share = dt*rate*factor(i)
         share = share/(1.0_rk + share)
         fallen = dt*litterfall(i)*litter_share
         loss(1:3) = share(1:3)*(pools(i, 1:3) + fallen)
         pools(i, 1:3) = pools(i, 1:3) + fallen - loss(1:3)
         input(1) = (1.0_rk - respired_litter(1))*loss(1) + (1.0_rk - respired_litter(2))*loss(2)
         input(2) = (1.0_rk - respired_litter(3))*loss(3)
         respired = respired_active(sand(i))
         call solve_soil(share(4:6), respired, pools(i, 4) + input(1), pools(i, 5) + input(2), pools(i, 6), loss(4:6))
         pools(i, 4) = pools(i, 4) + input(1) + slow_to_active*loss(5) + passive_to_active*loss(6) - loss(4)
         pools(i, 5) = pools(i, 5) + input(2) + (1.0_rk - respired - active_to_passive)*loss(4) - loss(5)
         pools(i, 6) = pools(i, 6) + active_to_passive*loss(4) + slow_to_passive*loss(5) - loss(6)
         respiration(i) = (respired_litter(1)*loss(1) + respired_litter(2)*loss(2) + respired_litter(3)*loss(3) &
                           + respired*loss(4) + respired_slow*(loss(5) + loss(6)))/dt
      end do
   end subroutine soil_carbon_step

   !> Losses of the three soil pools that feed each other.
   pure subroutine solve_soil(share, respired, active, slow, passive, loss)
      real(rk), intent(in) :: share(3)  !! of what is there that decays [1]
      real(rk), intent(in) :: respired  !! share of the decay of soil 1 that is respired [1]
      real(rk), intent(in) :: active    !! soil 1 with its litter input [kg m-2]
      real(rk), intent(in) :: slow      !! soil 2 with its litter input [kg m-2]
      real(rk), intent(in) :: passive   !! soil 3 [kg m-2]
      real(rk), intent(out) :: loss(3)  !! [kg m-2]
      real(rk) :: slow_own, slow_gain, passive_own, passive_gain
      slow_own = share(2)*slow
      slow_gain = share(2)*(1.0_rk - respired - active_to_passive)
      passive_own = share(3)*(passive + slow_to_passive*slow_own)
      passive_gain = share(3)*(active_to_passive + slow_to_passive*slow_gain)
      loss(1) = share(1)*(active + slow_to_active*slow_own + passive_to_active*passive_own) &
                /(1.0_rk - share(1)*(slow_to_active*slow_gain + passive_to_active*passive_gain))
      loss(2) = slow_own + slow_gain*loss(1)
      loss(3) = passive_own + passive_gain*loss(1)
   end subroutine solve_soil

   !> Pools in equilibrium with a mean litterfall and a mean control of decay: every pool decays as fast as it is fed.
   pure subroutine equilibrium_pools(sand, factor, litterfall, pools)
      real(rk), intent(in) :: sand(w)          !! of the top soil [%]
      real(rk), intent(in) :: factor(w)        !! mean control of decay [1]
      real(rk), intent(in) :: litterfall(w)    !! mean, not negative [kg m-2 s-1]
      real(rk), intent(out) :: pools(w, npool) !! carbon [kg m-2]
      real(rk), parameter :: all_of_it(3) = 1.0_rk
      real(rk) :: through(npool)
      integer :: i
      do i = 1, w
         through(1:3) = litter_share*litterfall(i)
         call solve_soil(all_of_it, respired_active(sand(i)), (1.0_rk - respired_litter(1))*through(1) &
                         + (1.0_rk - respired_litter(2))*through(2), (1.0_rk - respired_litter(3))*through(3), 0.0_rk, &
                         through(4:6))
         pools(i, :) = through/(rate*max(factor(i), least_factor))
      end do
   end subroutine equilibrium_pools

end module pl_soil_carbon
