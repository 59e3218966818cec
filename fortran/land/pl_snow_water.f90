!> Liquid water in the snow pack: what layers hold, how the rest flows down and out.
module pl_snow_water
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: density_ice, density_water, freezing_point, gravity, heat_capacity_ice, latent_fusion
   use pl_kinds, only: rk
   use pl_snow_chunk, only: most_snow_layers, snow_chunk_type
   use pl_snow_options, only: percolation_kinematic, snow_options_type
   implicit none (type, external)
   private
   public :: gone_ice, percolate

   real(rk), parameter :: gone_ice = 1.0e-9_rk         !! less ice, a picometre of water, makes no layer [kg m-2]
   real(rk), parameter :: least_porosity = 0.05_rk     !! below it pores do not connect (CLM5, wimp) [1]
   real(rk), parameter :: viscosity_water = 1.787e-3_rk !! dynamic, at 0 degC [Pa s]
   real(rk), parameter :: unlimited = 1.0e30_rk        !! capacity of the ground below [kg m-2]

contains

   !> Let rain in and water down, from layer to layer within the step.
   !>
   !> Liquid after dt*rain_on_snow has joined and dt*outflow has left is conserved. Water passes between two layers
   !> whose porosity is 0.05 or more; above a tighter layer it fills the pores, and what they can not take runs off
   !> with the outflow. Layers without ice give all their water. In lanes without snow rain is the outflow.
   !>
   !> A layer holds the irreducible share of its pores (0.033 of CLM5) and the water that its cold is to freeze:
   !> the phase change itself comes with the next step of heat.
   !>
   !> `percolation_bucket`: all water above what is held leaves (Anderson 1976; CLM5 Technical Note, chapter 8), as
   !> far as the layers below have free pores or pass it on to the ground.
   !> `percolation_kinematic`: flow by gravity, see solve_gravity_flow.
   pure subroutine percolate(options, dt, rain_on_snow, snow, outflow)
      type(snow_options_type), intent(in) :: options
      real(rk), intent(in) :: dt              !! time step [s]
      real(rk), intent(in) :: rain_on_snow(w) !! [kg m-2 s-1]
      type(snow_chunk_type), intent(inout) :: snow
      real(rk), intent(out) :: outflow(w)     !! at the base of the snow [kg m-2 s-1]
      real(rk) :: pores(w, most_snow_layers), held(w, most_snow_layers), capacity(w, most_snow_layers + 1)
      real(rk), dimension(w) :: flow, below, excess
      logical :: connected(w, most_snow_layers + 1), present
      integer :: i, k
      outflow = rain_on_snow
      if (all(snow%top > snow%nsnow)) return
      call find_pores(options%holding, snow, pores, held, connected, capacity)
      flow = dt*rain_on_snow
      excess = 0.0_rk
      do k = 1, snow%nsnow
         do i = 1, w
            snow%liquid(i, k) = snow%liquid(i, k) + merge(flow(i), 0.0_rk, k >= snow%top(i))
         end do
         if (options%percolation == percolation_kinematic) then
            call solve_gravity_flow(dt, snow, k, pores(:, k), held(:, k), below)
         else
            do i = 1, w
               below(i) = min(max(snow%liquid(i, k) - held(i, k), 0.0_rk), capacity(i, k + 1))
            end do
         end if
         do i = 1, w
            present = k >= snow%top(i)
            below(i) = merge(below(i), 0.0_rk, connected(i, k) .and. connected(i, k + 1))
            snow%liquid(i, k) = snow%liquid(i, k) - merge(below(i), 0.0_rk, present)
            flow(i) = merge(below(i), flow(i), present)
            ! what pores can not take runs off
            below(i) = max(snow%liquid(i, k) - pores(i, k), 0.0_rk)
            snow%liquid(i, k) = min(snow%liquid(i, k), pores(i, k))
            excess(i) = excess(i) + below(i)
         end do
      end do
      outflow = merge((flow + excess)/dt, rain_on_snow, snow%top <= snow%nsnow)
   end subroutine percolate

   !> Pores of all layers, what they hold, which layers let water pass, and how much those from each down can take.
   !>
   !> A layer holds the irreducible share of its pores and, below freezing, the water that its cold will freeze.
   pure subroutine find_pores(holding, snow, pores, held, connected, capacity)
      real(rk), intent(in) :: holding                            !! share of the pores that holds water [1]
      type(snow_chunk_type), intent(in) :: snow
      real(rk), intent(out) :: pores(w, most_snow_layers)        !! water that fills the pores [kg m-2]
      real(rk), intent(out) :: held(w, most_snow_layers)         !! water that does not flow [kg m-2]
      logical, intent(out) :: connected(w, most_snow_layers + 1) !! whether water passes; the ground is open
      real(rk), intent(out) :: capacity(w, most_snow_layers + 1) !! of a layer and those below it [kg m-2]
      real(rk) :: volume, free, freezing
      logical :: gone
      integer :: i, k
      pores = 0.0_rk
      held = 0.0_rk
      connected = .true.
      capacity = unlimited
      do k = snow%nsnow, 1, -1
         do i = 1, w
            gone = snow%ice(i, k) <= gone_ice
            volume = snow%thickness(i, k)*snow%cover(i)
            pores(i, k) = merge(0.0_rk, density_water*max(volume - snow%ice(i, k)/density_ice, 0.0_rk), gone)
            connected(i, k) = gone .or. pores(i, k) >= least_porosity*density_water*volume
            freezing = heat_capacity_ice/latent_fusion*snow%ice(i, k) &
               *max(freezing_point - snow%temperature(i, k), 0.0_rk)
            held(i, k) = min(holding*pores(i, k) + freezing, pores(i, k))
            free = max(pores(i, k) - snow%liquid(i, k), 0.0_rk)
            capacity(i, k) = merge(min(free + capacity(i, k + 1), unlimited), 0.0_rk, connected(i, k))
         end do
      end do
   end subroutine find_pores

   !> Water that leaves one layer by gravity: a wave whose speed grows with the water content.
   !>
   !> Colbeck (1972, J. Glaciol. 11, 369-385; 1976, Water Resour. Res. 12, 523-527): flux = rho g k/mu S***3 with the
   !> mobile saturation S* = (S - S_i)/(1 - S_i), S_i what is held; permeability k = 0.077 d**2 exp(-7.8
   !> rho_dry/rho_water) of grains of diameter d (Shimizu 1970, Low Temp. Sci. A 22). Backward Euler with the flux of
   !> the layer itself: stable for any time step. The cubic s + A s**3 = B is solved by Newton's method from
   !> B/(1 + A B**2)**(1/3), which is never below the root, and from there falls to it monotonically; six steps reach
   !> round-off.
   pure subroutine solve_gravity_flow(dt, snow, k, pores, held, flow)
      real(rk), intent(in) :: dt       !! time step [s]
      type(snow_chunk_type), intent(in) :: snow !! liquid with what came from above
      integer, intent(in) :: k         !! layer
      real(rk), intent(in) :: pores(w) !! water that fills the pores [kg m-2]
      real(rk), intent(in) :: held(w)  !! part of it that does not flow [kg m-2]
      real(rk), intent(out) :: flow(w) !! leaving the layer in this step [kg m-2]
      integer, parameter :: newton_steps = 6
      real(rk), dimension(w) :: mobile, room, fastest, stiffness, amount, share
      real(rk) :: volume, diameter
      logical :: porous(w)
      integer :: i, step
      do i = 1, w
         ! without connected pores the result is not used; without room all that is not held passes
         porous(i) = pores(i) > held(i) &
            .and. pores(i) >= least_porosity*density_water*snow%thickness(i, k)*snow%cover(i)
         mobile(i) = max(snow%liquid(i, k) - held(i), 0.0_rk)
         room(i) = merge(pores(i) - held(i), 1.0_rk, porous(i))
         volume = merge(snow%thickness(i, k)*snow%cover(i), 1.0_rk, porous(i))
         diameter = 2.0e-6_rk*snow%grain_radius(i, k)
         ! flux through full pores times the time step, as mass per area of all ground
         fastest(i) = dt*snow%cover(i)*density_water**2*gravity/viscosity_water &
            *0.077_rk*diameter**2*exp(-7.8_rk/density_water*min(snow%ice(i, k)/volume, density_ice))
         stiffness(i) = fastest(i)/room(i)
         amount(i) = mobile(i)/room(i)
         share(i) = amount(i)*exp(-log(1.0_rk + stiffness(i)*amount(i)**2)/3.0_rk)
      end do
      do step = 1, newton_steps
         do i = 1, w
            share(i) = (amount(i) + 2.0_rk*stiffness(i)*share(i)**3)/(1.0_rk + 3.0_rk*stiffness(i)*share(i)**2)
         end do
      end do
      do i = 1, w
         flow(i) = merge(min(max(mobile(i) - room(i)*share(i), 0.0_rk), fastest(i)), mobile(i), porous(i))
      end do
   end subroutine solve_gravity_flow

end module pl_snow_water
